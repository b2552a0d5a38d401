/* inmate.h - what runs in the process of a cell: the script library as it is, with a world that
 * speaks over a channel. Private to host/script.                          [the cell's process] */
#ifndef WEIR_SCRIPT_INMATE_H
#define WEIR_SCRIPT_INMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;
struct board;

struct inmate_birth {
    struct channel *channel;
    const struct board *board;
    const unsigned char *parcel;
    size_t parcel_len;
    int nice;
};

/* How a cell exits that never ran a script. */
enum inmate_exit { INMATE_NO_MEMORY = 81, INMATE_NO_JAIL, INMATE_NO_SCRIPT };

bool inmate_map(struct inmate_birth *birth, int channel, int board, int parcel);
_Noreturn void inmate_main(const struct inmate_birth *birth);

/* The levels of a book. The first question for so many asks the host to show them from now on. Only
 * inside of a host call. False: it does not show so many. */
struct board_depth;
bool inmate_depth(uint32_t instrument, uint32_t most, struct board_depth *out);

#endif
