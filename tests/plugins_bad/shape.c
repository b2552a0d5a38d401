/* shape.c - weir_plugin is there, but it is not a struct of constants. */
#include <stdlib.h>

__attribute__((constructor)) static void trace(void)
{
    setenv("WEIR_BAD_PLUGIN_RAN", "1", 1);
}

#ifdef FUNCTION
__attribute__((visibility("default"))) int weir_plugin(void);
int weir_plugin(void)
{
    return 1;
}
#elif defined SMALL
__attribute__((visibility("default"))) extern const char weir_plugin[8];
const char weir_plugin[8] = "WEIR";
#else /* no bytes in the file */
__attribute__((visibility("default"))) extern char weir_plugin[512];
char weir_plugin[512];
#endif
