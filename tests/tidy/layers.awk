# layers.awk - judge each include by the table. Input: layers.txt, the list of files, and the
# includes as FILE:LINE:TEXT, in this order (see layers.sh).
function dir_of(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/) - 1) : "" }
function complain(text) { print text; wrong++ }

# Which row a file stands in: its module, else its folder, else a folder above that one. The row
# `host` is the files of that folder alone, and `plugins/*` is each folder there.
function row_of(path,    stem, dir) {
    stem = path
    sub(/\.[ch]$/, "", stem)
    if (stem in sees) return stem
    for (dir = dir_of(path); dir != ""; dir = dir_of(dir)) {
        if (dir in sees && (dir ~ /\// || dir == dir_of(path))) return dir
        if ((dir_of(dir) "/*") in sees) return dir_of(dir) "/*"
    }
    return ""
}

# Where a quoted include leads: beside the file that says it, else below host, else, from a plugin,
# below plugins, else the SDK.
function resolve(from, name,    path) {
    path = dir_of(from) "/" name
    while (match(path, /[^\/]+\/\.\.\//)) path = substr(path, 1, RSTART - 1) substr(path, RSTART + RLENGTH)
    if (path in exists) return path
    if (("host/" name) in exists) return "host/" name
    if (from ~ /^plugins\// && ("plugins/" name) in exists) return "plugins/" name
    if (("sdk/include/" name) in exists) return "sdk/include/" name
    return ""
}

# Is it the same row, and for plugins/* also the same folder?
function same_place(from, to) {
    return row_of(from) == row_of(to) && (row_of(from) !~ /\*$/ || dir_of(from) == dir_of(to))
}

function judge(from, where, name,    to, stem) {
    to = resolve(from, name)
    if (to == "") { complain(where ": \"" name "\": no such file in the tree"); return }
    stem = to
    sub(/\.[ch]$/, "", stem)
    if (same_place(from, to) || index(sees[row_of(from)], " " row_of(to) " ") || index(sees[row_of(from)], " " stem " ")) return
    complain(where ": " row_of(from) " may not include \"" name "\" (" to "); it sees" (sees[row_of(from)] == " " ? " nothing" : sees[row_of(from)]))
}

FNR == 1 { input++ }
/^[ \t]*(#|$)/ && input == 1 { next }
input == 1 {
    if ($1 in sees) complain("layers.txt:" FNR ": " $1 " stands here twice")
    sees[$1] = " "
    for (i = 2; i <= NF; i++) {
        row = $i
        if (row !~ /^</ && !(row in sees)) {
            sub(/\/[^\/]*$/, "", row) # a single module of a row above
            if (!(row in sees)) complain("layers.txt:" FNR ": " $1 " may name only rows above it, and " $i " is none")
        }
        sees[$1] = sees[$1] $i " "
    }
    next
}
input == 2 {
    exists[$0] = 1
    if (row_of($0) == "") complain($0 ": stands in no row of tests/tidy/layers.txt")
    files++
    next
}
{
    split($0, part, ":")
    where = part[1] ":" part[2]
    text = substr($0, length(where) + 2)
    if (row_of(part[1]) == "") next
    if (match(text, /"[^"]*"/)) judge(part[1], where, substr(text, RSTART + 1, RLENGTH - 2))
    else if (match(text, /<[^>]*>/)) {
        name = substr(text, RSTART, RLENGTH)
        if (name ~ /^<(weir|base|engine)\//) complain(where ": " name ": our own headers are included with quotes")
        else if (index(sees[row_of(part[1])], "<") && !index(sees[row_of(part[1])], " " name " "))
            complain(where ": " row_of(part[1]) " may not include " name "; it sees" sees[row_of(part[1])])
    } else complain(where ": an include that is neither \"...\" nor <...> cannot be judged")
    includes++
}
END {
    printf "layers: %d files, %d includes, %d against the ladder\n", files, includes, wrong
    exit wrong > 0
}
