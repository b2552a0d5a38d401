/* notes.h - what the host tells its observers about itself, as messages in the same tap: measured
 * things, which are not inputs or effects of the engine and not in its hash. */
#ifndef WEIR_WATCH_NOTES_H
#define WEIR_WATCH_NOTES_H

#include "engine/input.h"

enum note_kind {
    NOTE_HOST = WEIR_HOST_KINDS + 240, /* struct note_host: about once in 100 ms */
    NOTE_VENUE,                        /* struct note_venue: likewise, one each */
    NOTE_SCRIPT,                       /* struct note_script: likewise, one each */
    NOTE_POSITION, /* struct note_position: what a journal that went on had left, at the start */
    NOTE_ALERT     /* struct note_alert: what a script raised */
};

struct note_host {
    struct weir_msg msg;
    uint64_t journal_seq;     /* last record appended */
    uint64_t journal_durable; /* last record on disk */
    uint64_t journal_bytes;
    uint64_t inputs; /* applied */
    uint64_t effects;
    uint64_t queue_most; /* fullest input queue so far, bytes */
    uint8_t journal_failed;
    uint8_t stopping;
    uint8_t virtual_time;
    uint8_t pad[5];
    char journal[200]; /* its folder, as the operator would name it */
};

struct note_venue {
    struct weir_msg msg; /* venue */
    uint64_t frames;     /* taken from the venue, or events of a venue without frames */
    uint64_t bytes;
    uint64_t errors; /* frames the plugin refused, events the session refused */
    uint64_t gaps;   /* books that lost their sequence */
    uint32_t books;  /* known */
    uint32_t live;   /* in step with the venue */
    char plugin[NAME_MAX_LEN];
    char execution[NAME_MAX_LEN]; /* venue paper none */
};

struct note_script {
    struct weir_msg msg;
    uint32_t strategy;
    uint8_t state;    /* 0 running, 1 quarantined, 2 refused */
    uint8_t orders;   /* has the right */
    uint8_t disarmed; /* only its cancels leave */
    uint8_t pad;
    uint64_t callbacks;
    uint64_t max_callback_ns;
    uint64_t memory;  /* bytes in use */
    uint32_t version; /* 1 at the start, one more with each reload */
    char sha256[16];  /* the first digits, of its source and modules */
    char pad2[4];
    char file[100];
    char reason[160]; /* of a quarantine: file:line and why */
};

struct note_position {
    struct weir_msg msg; /* instrument */
    uint32_t strategy;   /* 0: the account's */
    uint8_t pad[4];
    weir_qty qty;
    struct weir_amount cost, realized;
};

struct note_alert {
    struct weir_msg msg; /* instrument; 0: none, or not known */
    uint32_t strategy;
    char level[12]; /* info warn critical */
    char text[WEIR_REASON_MAX];
};

#endif
