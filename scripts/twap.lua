-- twap: works a parent order in equal slices over a window of time, and tells what it cost.
--
-- A slice is an IOC at the best price plus the slippage; what it could not get is added to the next
-- one, and never more than the parent is asked for. The last line tells the average price against
-- the mid at the start (arrival price). The parent lives in weir.state, so a reload or a restart
-- goes on where it was and never begins it again.

local settings = weir.declare{
    venue = {type = "text", doc = "where"},
    symbol = {type = "text", doc = "which instrument"},
    side = {type = "text", of = {"buy", "sell"}, default = "buy", doc = "of the parent"},
    qty = {type = "number", min = 0, default = 0.5, doc = "of the parent, in base"},
    slices = {type = "integer", min = 1, max = 100000, default = 10, doc = "how many"},
    window_s = {type = "number", min = 0.01, default = 30, doc = "over how many seconds"},
    slippage_bps = {type = "number", min = 0, max = 1000, default = 5,
                    doc = "a slice may take this much beyond the best price"},
    report_every = {type = "integer", min = 0, default = 0,
                    doc = "a line of progress after so many slices, 0: none"},
}
local side, total, slices = settings.side, settings.qty, settings.slices
local slippage, report_every = settings.slippage_bps, settings.report_every
local period = math.floor(settings.window_s * 1e9 / slices)

-- done, cost: what was executed, and for how much; working: id of the slice that is alive
local parent = weir.state.parent or {done = 0, cost = 0, slice = 0, finished = false}
weir.state.parent = parent

weir.subscribe{venue = settings.venue, symbol = settings.symbol, what = {"book"}}

local function tell(verb)
    if parent.done == 0 then return weir.log("nothing was executed of " .. total) end
    local average = parent.cost / parent.done
    local worse = (average - parent.arrival) / parent.arrival * 10000 * (side == "buy" and 1 or -1)
    weir.log(string.format(
        "%s %s %.10g of %.10g in %d slices, average %.10g, arrival %.10g, cost %.2f bps", verb,
        side, parent.done, total, parent.slice, average, parent.arrival, worse))
    weir.publish("twap", {side = side, done = parent.done, total = total, slice = parent.slice,
                          slices = slices, average = average, arrival = parent.arrival,
                          cost_bps = worse, finished = parent.finished})
end

local function finish_if_done()
    if parent.finished or parent.slice < slices or parent.working then return end
    parent.finished = true
    tell("worked")
end

-- The nearest step downwards, so that the parent is never exceeded.
local function on_step(qty, step) return math.floor(qty / step + 1e-9) * step end

-- The slice that was alive when we last looked may have ended while nobody listened.
local function forget_ended()
    local order = parent.working and weir.order(parent.working)
    if parent.working and (not order or order.done) then parent.working = nil end
end

local function send(qty, price)
    local id, err = weir.submit{venue = settings.venue, symbol = settings.symbol, side = side,
                                type = "limit", price = price, qty = qty, tif = "ioc", tag = "twap"}
    if not id then
        return weir.log("slice " .. (parent.slice + 1) .. " refused: " .. tostring(err))
    end
    parent.working, parent.slice = id, parent.slice + 1
    if report_every > 0 and parent.slice % report_every == 0 then tell("working") end
end

local function next_slice()
    forget_ended()
    if parent.finished or parent.working then return end
    local instrument = weir.instrument(settings.venue, settings.symbol)
    local book = weir.book(settings.venue, settings.symbol, 1)
    if not instrument or not book or book.state ~= "LIVE" then return end
    if not book.bid or not book.ask then return end
    parent.arrival = parent.arrival or (book.bid + book.ask) / 2
    local due = total * math.min(1, (parent.slice + 1) / slices)
    local qty = on_step(due - parent.done, instrument.step)
    local best = side == "buy" and book.ask * (1 + slippage / 10000)
        or book.bid * (1 - slippage / 10000)
    if qty > 0 then
        send(qty, math.floor(best / instrument.tick + 0.5) * instrument.tick)
    else
        parent.slice = parent.slice + 1
    end
    finish_if_done()
end

weir.on("fill", function(fill)
    parent.done = parent.done + fill.fill_qty
    parent.cost = parent.cost + fill.fill_qty * fill.fill_price
end)

weir.on("order", function(order)
    if order.id ~= parent.working or not order.done then return end
    parent.working = nil
    finish_if_done()
end)

weir.every(math.max(period, 1000000), next_slice)
weir.on("stop", function() if not parent.finished then tell("stopped after") end end)
