/* template.h - the files that `weir plugin new` writes, made by the build out of sdk/template. */
#ifndef WEIR_CONTROL_TEMPLATE_H
#define WEIR_CONTROL_TEMPLATE_H

/* @ stands for the plugin's name, in the name and in the text. */
struct template_file {
    const char *name;
    const unsigned char *text;
};
extern const struct template_file template_files[]; /* ended by a NULL name */

#endif
