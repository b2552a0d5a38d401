/* repl.h - `weir script repl`: Lua by the line. [main thread] */
#ifndef WEIR_CONTROL_REPL_H
#define WEIR_CONTROL_REPL_H

int script_repl(int argc, char **argv); /* the exit code */

#endif
