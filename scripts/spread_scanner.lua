-- spread_scanner: watches books and alerts when a spread is wide or a book leans to one side. It
-- has no order rights and needs none.

local settings = weir.declare{
    venue = {type = "text", optional = true, doc = "where; left out: everywhere"},
    symbol = {type = "text", optional = true, doc = "which; left out: all"},
    spread_bps = {type = "number", min = 0, default = 10, doc = "alert at a spread of this much"},
    imbalance = {type = "number", min = 0, max = 1, default = 0.95,
                 doc = "alert when |bid - ask| / (bid + ask) of the best sizes is this much"},
    quiet_s = {type = "number", min = 0, default = 30,
               doc = "and then be quiet about that market for so long"},
}
local spread_most, imbalance_most = settings.spread_bps, settings.imbalance
local quiet = settings.quiet_s * 1000000000

local told = {} -- when each market was last told of, by name and kind

weir.subscribe{venue = settings.venue, symbol = settings.symbol, what = {"book"}}

local function tell(book, kind, text)
    local key = book.venue .. "/" .. book.symbol .. " " .. kind
    if told[key] and book.time - told[key] < quiet then return end
    told[key] = book.time
    weir.alert{level = "info", text = text, venue = book.venue, symbol = book.symbol}
end

weir.on("book", function(book)
    if not book.bid or not book.ask then return end
    local mid = (book.bid + book.ask) / 2
    local spread = (book.ask - book.bid) / mid * 10000
    local lean = (book.bid_qty - book.ask_qty) / (book.bid_qty + book.ask_qty)
    if spread >= spread_most then
        tell(book, "spread", string.format("spread %.1f bps", spread))
    end
    if math.abs(lean) >= imbalance_most then
        tell(book, "imbalance", string.format("%s side holds %.1f %% of the best sizes",
                                              lean > 0 and "bid" or "ask",
                                              (math.abs(lean) + 1) * 50))
    end
end)
