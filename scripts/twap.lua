-- twap: works a parent order in equal slices over a window of time, and tells what it cost.
--
-- settings  venue, symbol   where
--           side            "buy" or "sell"                                      ("buy")
--           qty             of the parent, in base                               (0.5)
--           slices          how many                                             (10)
--           window_s        over how many seconds                                (30)
--           slippage_bps    a slice may take this much beyond the best price     (5)
--
-- A slice is an IOC at the best price plus the slippage; what it could not get is added to the next
-- one, and never more than the parent is asked for. The last line tells the average price against
-- the mid at the start (arrival price).

local settings = weir.settings
local side = settings.side or "buy"
local total = settings.qty or 0.5
local slices = settings.slices or 10
local slippage = settings.slippage_bps or 5
local period = math.floor((settings.window_s or 30) * 1e9 / slices)

local parent = {done = 0, cost = 0, slice = 0} -- what was executed, and for how much
local working -- id of the slice that is alive
local arrival
local finished = false

weir.subscribe{venue = settings.venue, symbol = settings.symbol, what = {"book"}}

local function report()
    finished = true
    if parent.done == 0 then return weir.log("nothing was executed of " .. total) end
    local average = parent.cost / parent.done
    local worse = (average - arrival) / arrival * 10000 * (side == "buy" and 1 or -1)
    weir.log(string.format(
        "%s %.10g of %.10g in %d slices, average %.10g, arrival %.10g, cost %.2f bps",
        side, parent.done, total, parent.slice, average, arrival, worse))
end

-- The nearest step downwards, so that the parent is never exceeded.
local function on_step(qty, step) return math.floor(qty / step + 1e-9) * step end

local function send_slice()
    if finished or working then return end
    local instrument = weir.instrument(settings.venue, settings.symbol)
    local book = weir.book(settings.venue, settings.symbol)
    if not instrument or not book or book.state ~= "LIVE" then return end
    if not book.bid or not book.ask then return end
    arrival = arrival or (book.bid + book.ask) / 2
    local due = total * math.min(1, (parent.slice + 1) / slices)
    local qty = on_step(due - parent.done, instrument.step)
    local best = side == "buy" and book.ask * (1 + slippage / 10000)
        or book.bid * (1 - slippage / 10000)
    local price = math.floor(best / instrument.tick + 0.5) * instrument.tick
    if qty <= 0 then
        parent.slice = parent.slice + 1
        if parent.slice >= slices then report() end
        return
    end
    local id, err = weir.submit{venue = settings.venue, symbol = settings.symbol, side = side,
                                type = "limit", price = price, qty = qty, tif = "ioc", tag = "twap"}
    if id then
        working, parent.slice = id, parent.slice + 1
    else
        weir.log("slice " .. (parent.slice + 1) .. " refused: " .. tostring(err))
    end
end

weir.on("fill", function(fill)
    parent.done = parent.done + fill.fill_qty
    parent.cost = parent.cost + fill.fill_qty * fill.fill_price
    weir.state.done = parent.done
end)

weir.on("order", function(order)
    if order.id ~= working or not order.done then return end
    working = nil
    if parent.slice >= slices then report() end
end)

weir.every(math.max(period, 1000000), send_slice)
weir.on("stop", function() if not finished then report() end end)
