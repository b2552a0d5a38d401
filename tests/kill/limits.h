/* limits.h - a configuration that limits nothing, for hosts that are killed. */
#ifndef TESTS_KILL_LIMITS_H
#define TESTS_KILL_LIMITS_H

/* The sections of `limits`, without one limit but those of venues that are given here: "" or "KEY: VALUE, ". */
#define LIMITS_NONE(of_venues)                                                 \
    "  host: {others: none}\n  venues: {\"*\": {" of_venues "others: none}}\n" \
    "  accounts: {\"*\": {others: none}}\n  groups: {\"*\": {others: none}}\n" \
    "  strategies: {\"*\": {others: none}}\n  instruments: {\"*\": {others: none}}\n"

#endif
