/* number.c - between Lua's numbers and exact ones, and exact numbers for scripts: weir.dec.
 *
 * A Lua number is a binary double. It is taken for the decimal that it stands for if that lies on
 * the grid of the instrument (design.md §15); the count that comes out is exact from there on. What
 * goes to scripts is the double nearest to the decimal, so 50000.1 is the same number on both ways.
 * A double never takes part in money: only here, at the door. */
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "script/cell.h"

static const char DEC[] = "dec";

/* --- from Lua --------------------------------------------------------------------------------- */

static enum fit fit_exact(amount value, int exp, int64_t step, int64_t *value_out)
{
    int64_t count;
    if (!amount_to(value, exp, &count)) {
        amount limit = amount_from(INT64_MAX, exp);
        return value > limit || value < -limit ? FIT_TOO_LARGE : FIT_OFF_STEP;
    }
    if (count % step != 0)
        return FIT_OFF_STEP;
    *value_out = count;
    return FITS;
}

static enum fit fit_number(lua_Number x, int exp, int64_t step, int64_t *value_out)
{
    const lua_Number exact = 9007199254740992.0; /* 2^53: above it doubles skip whole numbers */
    lua_Number steps = x * (lua_Number)pow10_of(exp) / (lua_Number)step;
    if (!(fabs(x) <= exact && fabs(steps) < exact))
        return FIT_TOO_LARGE;
    lua_Number nearest = rint(steps), most = 1e-9 * fmax(1.0, fabs(steps));
    if (!(fabs(steps - nearest) <= most))
        return FIT_OFF_STEP;
    return __builtin_mul_overflow((int64_t)nearest, step, value_out) ? FIT_TOO_LARGE : FITS;
}

enum fit weir_dec_from_lua(lua_State *L, int index, int exp, int64_t step, int64_t *value_out)
{
    amount exact;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER: {
        lua_Number x = lua_tonumber(L, index);
        if (!isfinite(x))
            return FIT_NOT_FINITE;
        return fit_number(x, exp, step, value_out);
    }
    case LUA_TSTRING: return FIT_TEXT;
    default:
        return dec_get(L, index, &exact) ? fit_exact(exact, exp, step, value_out) : FIT_NO_NUMBER;
    }
}

/* --- to Lua ----------------------------------------------------------------------------------- */

void push_decimal(lua_State *L, int64_t value, int exp)
{
    lua_pushnumber(L, (lua_Number)value / (lua_Number)pow10_of(exp));
}

/* Both numbers of the division are exact if the amount has few enough digits; else the whole and the
 * rest are added, which is right to the last bit but one. */
void push_amount(lua_State *L, amount value)
{
    const amount billion = 1000000000, one = billion * billion;
    amount nano = value / billion;
    if (nano * billion == value && nano < (1LL << 53) && nano > -(1LL << 53)) {
        lua_pushnumber(L, (lua_Number)(int64_t)nano / 1e9);
        return;
    }
    amount whole = value / one;
    lua_pushnumber(L, (lua_Number)whole + (lua_Number)(int64_t)(value - whole * one) / 1e18);
}

/* --- weir.dec --------------------------------------------------------------------------------- */

bool dec_get(lua_State *L, int index, amount *value_out)
{
    if (lua_type(L, index) != LUA_TUSERDATA)
        return false;
    const struct weir_amount *dec = luaL_testudata(L, index, DEC);
    if (!dec)
        return false;
    *value_out = amount_of(*dec);
    return true;
}

void dec_push_in(lua_State *L, amount value)
{
    struct weir_amount *dec = lua_newuserdatauv(L, sizeof *dec, 0);
    *dec = amount_pack(value);
    luaL_setmetatable(L, DEC);
}

/* An operand: exact values and whole numbers. */
static amount operand(lua_State *L, int index)
{
    amount value;
    if (dec_get(L, index, &value))
        return value;
    if (lua_isinteger(L, index) && lua_type(L, index) == LUA_TNUMBER)
        return (amount)lua_tointeger(L, index) * ((amount)1000000000 * 1000000000);
    if (lua_type(L, index) == LUA_TNUMBER)
        luaL_error(
            L, "an exact value and %f: a number with a point is not exact; write weir.dec(\"...\")",
            lua_tonumber(L, index));
    luaL_error(L, "an exact value and a %s do not go together", luaL_typename(L, index));
    return 0;
}

static int result(lua_State *L, bool fits, amount value)
{
    if (!fits)
        return luaL_error(L, "the result does not fit an exact value (18 decimal places, 1.7e20)");
    dec_push_in(L, value);
    return 1;
}

static int dec_add(lua_State *L)
{
    amount sum = 0;
    bool fits = amount_add(operand(L, 1), operand(L, 2), &sum);
    return result(L, fits, sum);
}

static int dec_sub(lua_State *L)
{
    amount difference = 0;
    bool fits = amount_sub(operand(L, 1), operand(L, 2), &difference);
    return result(L, fits, difference);
}

/* 2.50 -> 25 and 1 place, so that products of short numbers stay short. */
static int shorten(amount *value)
{
    int places = AMOUNT_EXP;
    for (; places > 0 && *value % 10 == 0; places--)
        *value /= 10;
    return places;
}

static int dec_mul(lua_State *L)
{
    amount a = operand(L, 1), b = operand(L, 2), product = 0;
    int places = shorten(&a) + shorten(&b);
    bool fits =
        !__builtin_mul_overflow(a, b, &product) && amount_product_slow(product, places, &product);
    return result(L, fits, product);
}

static int dec_unm(lua_State *L)
{
    amount value = 0;
    bool fits = amount_sub(0, operand(L, 1), &value);
    return result(L, fits, value);
}

/* Numbers with a point may be compared: as the decimal that tostring shows, with 17 digits. */
static int compare(lua_State *L)
{
    amount left = 0, right = 0;
    lua_Number x;
    if (dec_get(L, 1, &left) && dec_get(L, 2, &right))
        return (left > right) - (left < right);
    if (lua_isinteger(L, 1) || lua_isinteger(L, 2)) {
        left = operand(L, 1);
        right = operand(L, 2);
        return (left > right) - (left < right);
    }
    bool first = dec_get(L, 1, &left);
    if (lua_type(L, first ? 2 : 1) != LUA_TNUMBER)
        operand(L, first ? 2 : 1);
    if (!first)
        (void)dec_get(L, 2, &left);
    push_amount(L, left);
    x = lua_tonumber(L, -1) - lua_tonumber(L, first ? 2 : 1);
    lua_pop(L, 1);
    int way = (x > 0) - (x < 0);
    return first ? way : -way;
}

static int dec_eq(lua_State *L)
{
    lua_pushboolean(L, compare(L) == 0);
    return 1;
}

static int dec_lt(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int dec_le(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static int dec_text(lua_State *L)
{
    char text[DECIMAL_TEXT_MAX];
    size_t len = amount_print(operand(L, 1), text);
    lua_pushlstring(L, text, len);
    return 1;
}

static int dec_number(lua_State *L)
{
    push_amount(L, operand(L, 1));
    return 1;
}

static int dec_concat(lua_State *L)
{
    text_of_in(L, 1, NULL);
    text_of_in(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

static int dec_new(lua_State *L)
{
    size_t len;
    amount value = 0;
    if (lua_type(L, 1) != LUA_TSTRING) {
        if (lua_type(L, 1) == LUA_TNUMBER && !lua_isinteger(L, 1))
            return luaL_error(
                L, "weir.dec takes a text: weir.dec(\"0.1\"); the number 0.1 is not exactly 0.1");
        luaL_argcheck(L, lua_isinteger(L, 1) || dec_get(L, 1, &value), 1,
                      "a text such as \"61800.25\" was expected");
        dec_push_in(L, operand(L, 1));
        return 1;
    }
    const char *text = lua_tolstring(L, 1, &len);
    enum weir_err err = amount_parse(text, len, &value);
    if (err) {
        char shown[48];
        text_line(text, len, shown, sizeof shown);
        return luaL_error(L, "weir.dec(\"%s\"): %s", shown, err_text(err));
    }
    dec_push_in(L, value);
    return 1;
}

void dec_open_in(lua_State *L)
{
    static const luaL_Reg meta[] = {
        {"__add", dec_add},       {"__sub", dec_sub}, {"__mul", dec_mul}, {"__unm", dec_unm},
        {"__eq", dec_eq},         {"__lt", dec_lt},   {"__le", dec_le},   {"__tostring", dec_text},
        {"__concat", dec_concat}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"number", dec_number}, {"text", dec_text}, {NULL, NULL}};
    luaL_newmetatable(L, DEC);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, dec_new);
}
