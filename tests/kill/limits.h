/* limits.h - a configuration that limits nothing, for hosts that are killed. */
#ifndef TESTS_KILL_LIMITS_H
#define TESTS_KILL_LIMITS_H

/* The sections of `limits`, without one limit. */
#define LIMITS_NONE                                                            \
    "  host: {others: none}\n  venues: {\"*\": {others: none}}\n"              \
    "  accounts: {\"*\": {others: none}}\n  groups: {\"*\": {others: none}}\n" \
    "  strategies: {\"*\": {others: none}}\n  instruments: {\"*\": {others: none}}\n"

#endif
