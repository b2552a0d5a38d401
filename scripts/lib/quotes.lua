-- quotes: says what should rest in the book, and works out the orders.
--
--   local quotes = weir.import("quotes")
--   local desk = quotes.new{venue=, symbol=, tolerance=}  -- tolerance: least move worth an order
--   desk:rest("buy", price, qty)  -- one order a side; moved when the wish moves by more than that
--   desk:withdraw()               -- nothing rests; withdraw("buy"): not on this side
--   desk.on_refused = function(side, err) ... end
--
-- At most one order a side is alive: a new one is asked for only when the old one has ended, so
-- that the desk never crosses or doubles itself while a cancel is on its way. Orders that an
-- earlier version of the script left in the book (a reload) are taken over by the first call.

local quotes = {}
quotes.__index = quotes

local TAG = "quote"

local function submit(desk, side)
    local wish = desk.wishes[side]
    if not wish or desk.ids[side] then return end
    local id, err = weir.submit{venue = desk.venue, symbol = desk.symbol, side = side,
                                type = "limit", price = wish.price, qty = wish.qty, tif = "gtc",
                                post_only = true, tag = TAG}
    if id then
        desk.ids[side], desk.prices[side] = id, wish.price
    else
        desk.wishes[side] = nil -- asked again with the next wish
        if desk.on_refused then desk.on_refused(side, err) end
    end
end

local function leave(desk, side)
    if desk.ids[side] and not desk.leaving[side] then
        desk.leaving[side] = weir.cancel(desk.ids[side]) and true or nil
    end
end

-- What rests already is ours: one order a side is kept, others are cancelled.
local function take_over(desk)
    if desk.took_over then return end
    desk.took_over = true
    local resting = weir.orders{venue = desk.venue, symbol = desk.symbol, tag = TAG}
    for _, order in ipairs(resting or {}) do
        if desk.ids[order.side] then
            weir.cancel(order.id)
        else
            desk.ids[order.side], desk.prices[order.side] = order.id, order.price
        end
    end
end

local function on_order(desk, order)
    for _, side in ipairs{"buy", "sell"} do
        local mine = order.id == desk.ids[side]
        if mine and order.done then
            desk.ids[side], desk.prices[side], desk.leaving[side] = nil, nil, nil
            submit(desk, side)
        elseif mine and order.refused == "cancel" then
            desk.leaving[side] = nil -- it stays; the next wish asks again
        end
    end
end

function quotes.new(options)
    local desk = setmetatable({venue = options.venue, symbol = options.symbol,
                               tolerance = options.tolerance or 0,
                               wishes = {}, ids = {}, prices = {}, leaving = {}}, quotes)
    weir.on("order", function(order) on_order(desk, order) end)
    return desk
end

function quotes:rest(side, price, qty)
    take_over(self)
    self.wishes[side] = {price = price, qty = qty}
    if not self.ids[side] then return submit(self, side) end
    if math.abs(price - self.prices[side]) > self.tolerance then leave(self, side) end
end

function quotes:withdraw(side)
    take_over(self)
    for _, s in ipairs(side and {side} or {"buy", "sell"}) do
        self.wishes[s] = nil
        leave(self, s)
    end
end

return quotes
