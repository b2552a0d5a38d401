-- grid: rests up to `levels` bids below and asks above the middle, on a fixed raster of prices, and
-- moves them ten times a second; leans away from what it holds. The market making grid that
-- backtesters are compared with: cancel what is off the raster, ask for what is missing.
--
-- settings  venue, symbol   where
--           levels          orders a side                                   (10)
--           interval_bps    distance of two prices of the raster            (1)
--           half_spread_bps distance of the innermost from the middle       (1)
--           skew_bps        how far a full position moves the whole grid    (2)
--           clip            size of each order                              (0.01)
--           position_max    at which the side that adds to it is withdrawn  (0.1)
--           every_ms        time between two looks                          (100)

local s = weir.settings
local venue, symbol = s.venue, s.symbol
local levels = s.levels or 10
local interval_bps = s.interval_bps or 1
local half_spread_bps = s.half_spread_bps or 1
local skew_bps = s.skew_bps or 2
local clip = s.clip or 0.01
local position_max = s.position_max or 0.1
local floor, ceil = math.floor, math.ceil

local live = {buy = {}, sell = {}} -- by number on the raster: id of the order
local of = {}                      -- id -> {side, number}
local tick, raster                 -- price step; distance of two prices of the raster, in ticks
local held = 0
local known = {} -- by side: the range that rests already; nil: look again

local function forget(id)
    local at = of[id]
    if not at then return end
    of[id] = nil
    if live[at[1]][at[2]] == id then
        live[at[1]][at[2]] = nil
        known[at[1]] = nil
    end
end

-- Wanted: numbers first .. last. What is off it is canceled, what is missing asked for.
local function arrange(side, first, last)
    local mine, was = live[side], known[side]
    if was and was[1] == first and was[2] == last then return end
    known[side] = {first, last}
    for number, id in pairs(mine) do
        if number < first or number > last then
            mine[number] = nil
            weir.cancel(id)
        end
    end
    for number = first, last do
        if not mine[number] then
            local id = weir.submit{venue = venue, symbol = symbol, side = side, type = "limit",
                                   price = number * raster * tick, qty = clip, tif = "gtc",
                                   post_only = true}
            if id then
                mine[number] = id
                of[id] = {side, number}
            else
                known[side] = nil -- refused: ask again
            end
        end
    end
end

local function look()
    local book = weir.book(venue, symbol)
    if not book or not book.bid or not book.ask then return end
    if not tick then
        local is = weir.instrument(venue, symbol)
        if not is then return end
        tick = is.tick
        raster = math.max(1, floor(book.bid * interval_bps / 10000 / tick + 0.5))
    end
    local middle = (book.bid + book.ask) / 2
    local fair = middle * (1 - skew_bps / 10000 * held / position_max)
    local away = middle * half_spread_bps / 10000
    local bid = math.min(fair - away, book.bid)
    local ask = math.max(fair + away, book.ask)
    local highest = floor(bid / tick / raster + 1e-9)
    local lowest = ceil(ask / tick / raster - 1e-9)
    local buys = held < position_max and levels or 0
    local sells = held > -position_max and levels or 0
    arrange("buy", highest - buys + 1, highest)
    arrange("sell", lowest, lowest + sells - 1)
end

local ended = {FILLED = true, CANCELED = true, EXPIRED = true, REJECTED = true}
weir.on("order", function(order)
    if ended[order.state] then forget(order.id) end
end)

weir.on("fill", function(f) held = held + (f.side == "buy" and f.qty or -f.qty) end)

weir.every((s.every_ms or 100) * 1000000, look)
