-- spread_scanner: watches books and alerts when a spread is wide or a book leans to one side. It
-- has no order rights and needs none.
--
-- settings  venue            where; left out: everywhere
--           symbol           which; left out: all
--           spread_bps       alert at a spread of this much or more              (10)
--           imbalance        alert when |bid - ask| / (bid + ask) of the best sizes is this much
--                            or more                                             (0.95)
--           quiet_s          and then be quiet about that market for so long     (30)

local settings = weir.settings
local spread_most = settings.spread_bps or 10
local imbalance_most = settings.imbalance or 0.95
local quiet = (settings.quiet_s or 30) * 1000000000

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
