-- What a script may know: the sandbox's own globals and nothing else of Lua's library.
std = {
    read_globals = {
        "assert", "error", "getmetatable", "ipairs", "load", "next", "pairs", "pcall", "print", "rawequal",
        "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
        "_VERSION", "coroutine", "math", "string", "table", "utf8",
        weir = { fields = { state = { read_only = false, other_fields = true } }, other_fields = true },
    },
    globals = { "_G", "_ENV" },
}
max_line_length = 100
