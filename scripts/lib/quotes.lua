-- quotes: says what should rest in the book, and works out the orders.
--
--   local quotes = weir.import("quotes")
--   local desk = quotes.new{venue=, symbol=, tolerance=}  -- tolerance: least move worth an order
--   desk:rest("buy", price, qty)  -- one order a side; moved when the wish moves by more than that
--   desk:withdraw()               -- nothing rests
--   desk.on_refused = function(side, err) ... end
--
-- At most one order a side is alive: a new one is asked for only when the old one has ended, so
-- that the desk never crosses or doubles itself while a cancel is on its way.

local quotes = {}
quotes.__index = quotes

local function submit(desk, side)
    local wish = desk.wishes[side]
    if not wish or desk.ids[side] then return end
    local id, err = weir.submit{venue = desk.venue, symbol = desk.symbol, side = side,
                                type = "limit", price = wish.price, qty = wish.qty, tif = "gtc",
                                post_only = true, tag = "quote"}
    if id then
        desk.ids[side], desk.prices[side] = id, wish.price
    else
        desk.wishes[side] = nil -- asked again with the next wish
        if desk.on_refused then desk.on_refused(side, err) end
    end
end

local function on_order(desk, order)
    for side, id in pairs(desk.ids) do
        if order.id == id and order.done then
            desk.ids[side], desk.prices[side], desk.leaving[side] = nil, nil, nil
            submit(desk, side)
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
    self.wishes[side] = {price = price, qty = qty}
    local id = self.ids[side]
    if not id then return submit(self, side) end
    if not self.leaving[side] and math.abs(price - self.prices[side]) > self.tolerance then
        self.leaving[side] = weir.cancel(id) and true or nil
    end
end

function quotes:withdraw(side)
    for _, s in ipairs(side and {side} or {"buy", "sell"}) do
        self.wishes[s] = nil
        if self.ids[s] and not self.leaving[s] then
            self.leaving[s] = weir.cancel(self.ids[s]) and true or nil
        end
    end
end

return quotes
