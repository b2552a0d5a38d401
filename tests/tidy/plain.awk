# plain.awk - C source without its comments and the inside of its strings; lines stay where they are.
# Prints FILE:LINE:TEXT for each line that is not blank, so that a rule can be a grep.
FNR == 1 { inside = "" }
{
    out = ""
    for (i = 1; i <= length($0); i++) {
        two = substr($0, i, 2)
        one = substr($0, i, 1)
        if (inside == "comment") {
            if (two == "*/") { inside = ""; i++ }
        } else if (inside != "") { # a string or a character: inside holds its quote
            if (one == "\\") i++
            else if (one == inside) { inside = ""; out = out one }
        } else if (two == "/*") { inside = "comment"; i++; out = out " " }
        else if (two == "//") break
        else {
            if (one == "\"" || one == "'") inside = one
            out = out one
        }
    }
    if (inside != "comment") inside = "" # a string does not go over the end of a line
    if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
}
