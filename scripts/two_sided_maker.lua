-- two_sided_maker: rests one bid and one ask around the mid, and leans away from what it holds.

local settings = weir.declare{
    venue = {type = "text", doc = "where"},
    symbol = {type = "text", doc = "which instrument"},
    half_spread_bps = {type = "number", min = 0, max = 1000, default = 2,
                       doc = "distance of each quote from the mid"},
    lean_bps = {type = "number", min = 0, max = 1000, default = 4,
                doc = "how far a full position moves both quotes"},
    clip = {type = "number", min = 0, default = 0.01, doc = "size of each quote, in base"},
    position_max = {type = "number", min = 0, default = 0.2,
                    doc = "position at which the side that adds to it is withdrawn"},
    requote_bps = {type = "number", min = 0, max = 1000, default = 0.5,
                   doc = "moves of the mid smaller than this are not worth an order"},
    probe_qty = {type = "number", optional = true,
                 doc = "at the start, ask once for an order of this size, which the limits must "
                     .. "refuse: shows that they are alive"},
}
local half_spread, lean = settings.half_spread_bps, settings.lean_bps
local clip, position_max, requote = settings.clip, settings.position_max, settings.requote_bps

local quotes = weir.import("quotes")
local desk = quotes.new{venue = settings.venue, symbol = settings.symbol}
local instrument
local quoted -- the mid that the resting quotes were made from
local refused = {}

weir.subscribe{venue = settings.venue, symbol = settings.symbol, what = {"book"}}

-- Down to a step of the price for a bid, up for an ask.
local function on_tick(price, side)
    local ticks = price / instrument.tick
    return (side == "buy" and math.floor(ticks + 1e-9) or math.ceil(ticks - 1e-9)) * instrument.tick
end

local function held()
    local position = weir.position(settings.venue, settings.symbol)
    return position and position.qty or 0
end

local function quote(book)
    local mid = (book.bid + book.ask) / 2
    if quoted and math.abs(mid - quoted) < mid * requote / 10000 then return end
    quoted = mid
    local qty = held()
    local fair = mid - mid * lean / 10000 * math.max(-1, math.min(1, qty / position_max))
    local away = mid * half_spread / 10000
    if qty < position_max then
        desk:rest("buy", math.min(on_tick(fair - away, "buy"), book.bid), clip)
    else
        desk:withdraw("buy")
    end
    if qty > -position_max then
        desk:rest("sell", math.max(on_tick(fair + away, "sell"), book.ask), clip)
    else
        desk:withdraw("sell")
    end
end

weir.on("book", function(book)
    if not book.bid or not book.ask then return desk:withdraw() end
    instrument = instrument or weir.instrument(settings.venue, settings.symbol)
    if instrument then quote(book) end
end)

weir.on("fill", function()
    quoted = nil -- what we hold has changed: quote anew with the next book
    weir.state.fills = (weir.state.fills or 0) + 1
end)

-- Each reason once, with its numbers; the journal has all of them.
desk.on_refused = function(side, err)
    quoted = nil
    if refused[err.code] then return end
    refused[err.code] = true
    weir.log(side .. " refused: " .. tostring(err))
end

if settings.probe_qty then
    weir.after(1500000000, function()
        local book = weir.book(settings.venue, settings.symbol)
        if not book or not book.bid then return end
        local _, err = weir.submit{venue = settings.venue, symbol = settings.symbol, side = "buy",
                                   type = "limit", price = book.bid, qty = settings.probe_qty,
                                   tif = "gtc", tag = "probe"}
        weir.log("the limits are alive: " .. tostring(err))
    end)
end

weir.on("stop", function() desk:withdraw() end)
