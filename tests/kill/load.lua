-- load.lua - orders as fast as a timer allows: resting ones, ones that take, amends and cancels.
local quote = weir.settings.quote or "-USD"
local symbols = {"BTC" .. quote, "ETH" .. quote, "SOL" .. quote}
local sizes = {[symbols[1]] = 0.001, [symbols[2]] = 0.01, [symbols[3]] = 0.1}
local most, per_tick = weir.settings.open or 60, weir.settings.per_tick or 2
local rest = weir.settings.rest -- so many resting orders, and nothing more
local stops, amends = weir.settings.stops, weir.settings.amends -- orders that wait for a price
local ids, places = {}, {} -- of living orders, and where each stands

for _, symbol in ipairs(symbols) do
    weir.subscribe{venue = "there", symbol = symbol, what = "book"}
end

local function pick(n) return math.floor(weir.random() * n) + 1 end

local function keep(id)
    ids[#ids + 1] = id
    places[id] = #ids
end

local function forget(id)
    local place, last = places[id], ids[#ids]
    if not place then return end
    ids[place], places[last] = last, place
    ids[#ids], places[id] = nil, nil
end

weir.on("start", function() for _, order in ipairs(weir.orders{}) do keep(order.id) end end)

weir.on("order", function(order) if order.done then forget(order.id) end end)

local function submit(far)
    local symbol = symbols[pick(3)]
    local book, instrument = weir.book("there", symbol), weir.instrument("there", symbol)
    if not book or not book.bid or not book.ask or not instrument then return end
    local side, tick = weir.random() < 0.5 and "buy" or "sell", instrument.tick
    local takes = not far and weir.random() < 0.25
    local away = takes and -pick(3) or far and 1500 + pick(2000) or pick(400) - 1
    local best = side == "buy" and book.bid or book.ask
    if takes then best = side == "buy" and book.ask or book.bid end
    local price = math.floor(best / tick + 0.5) * tick + (side == "buy" and -away or away) * tick
    local id = weir.submit{venue = "there", symbol = symbol, side = side, type = "limit",
                           tif = takes and "ioc" or "gtc", price = price,
                           qty = sizes[symbol] * pick(5)}
    if id then keep(id) end
end

local function stop()
    local symbol = symbols[pick(3)]
    local book, instrument = weir.book("there", symbol), weir.instrument("there", symbol)
    if not book or not book.bid or not book.ask or not instrument then return end
    local side, tick = weir.random() < 0.5 and "buy" or "sell", instrument.tick
    local rises, away = weir.random() < 0.5, pick(60) * 5
    local best = rises and book.ask or book.bid
    local trigger = math.floor(best / tick + 0.5) * tick + (rises and away or -away) * tick
    local is_stop = rises == (side == "buy")
    local limit = is_stop and weir.random() < 0.5
    local kind = limit and "stop_limit" or is_stop and "stop" or "take_profit"
    local id = weir.submit{venue = "there", symbol = symbol, side = side, type = kind,
                           trigger = trigger, price = limit and trigger or nil,
                           tif = limit and "gtc" or nil, qty = sizes[symbol] * pick(5)}
    if id then keep(id) end
end

local function amend()
    local order = #ids > 0 and weir.order(ids[pick(#ids)])
    local instrument = order and weir.instrument("there", order.symbol)
    if not instrument or not order.price or order.trigger then return end
    local tick = instrument.tick
    weir.amend(order.id, {price = math.floor(order.price / tick + 0.5) * tick
                                  + (order.side == "buy" and -1 or 1) * tick})
end

weir.every(weir.settings.every or 1000000, function()
    for _ = 1, rest and math.min(3, rest - #ids) or 0 do submit(true) end
    for _ = 1, rest and 0 or per_tick do
        local dice = weir.random()
        if #ids >= most or (dice < 0.35 and #ids > 0) then
            weir.cancel(ids[pick(#ids)])
        elseif dice < 0.45 and (amends or not weir.settings.quote) then
            amend()
        elseif dice < 0.55 and stops then
            stop()
        else
            submit()
        end
    end
end)
