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
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max

local live = {buy = {}, sell = {}} -- by number on the raster: id of the order
local of = {}                      -- id -> {side, number}
local tick, raster                 -- price step; distance of two prices of the raster, in ticks
local held = 0
local rests = {buy = {0, -1}, sell = {0, -1}} -- by side: the numbers among which all of ours are
local holes = {buy = {}, sell = {}}           -- and which of them ended, or were refused

local function forget(id)
    local at = of[id]
    if not at then return end
    of[id] = nil
    if live[at[1]][at[2]] == id then
        live[at[1]][at[2]] = nil
        table.insert(holes[at[1]], at[2])
    end
end

local function cancel(side, first, last)
    local mine = live[side]
    for number = first, last do
        local id = mine[number]
        if id then
            mine[number] = nil
            weir.cancel(id)
        end
    end
end

local function fill(side, first, last)
    local mine = live[side]
    for number = first, last do
        if not mine[number] then
            local id = weir.submit{venue = venue, symbol = symbol, side = side, type = "limit",
                                   price = number * raster * tick, qty = clip, tif = "gtc",
                                   post_only = true}
            if id then
                mine[number] = id
                of[id] = {side, number}
            else
                table.insert(holes[side], number) -- ask again
            end
        end
    end
end

-- Wanted: numbers first .. last. What is off them is canceled, what is missing asked for; what
-- stays is not looked at, however many there are.
local function arrange(side, first, last)
    local from, to, ended = rests[side][1], rests[side][2], holes[side]
    if from == first and to == last and #ended == 0 then return end
    rests[side], holes[side] = {first, last}, {}
    cancel(side, from, min(to, first - 1))
    cancel(side, max(from, last + 1), to)
    for _, number in ipairs(ended) do
        if number >= first and number <= last then fill(side, number, number) end
    end
    fill(side, first, min(last, from - 1))
    fill(side, max(first, to + 1), last)
end

local function look()
    local book = weir.book(venue, symbol, 0) -- the best prices are all that is looked at
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
