-- stats: running figures of a stream of numbers, each in constant time and bounded memory.
--
--   local stats = weir.import("stats")
--   local ema = stats.ema(20)          -- exponential mean; weight of a new value 2 / (n + 1)
--   local window = stats.window(100)   -- the last n values
--   local vwap = stats.vwap()          -- mean of prices by volume
--
--   ema:add(x)            returns the mean so far          ema.value
--   window:add(x)         forgets the oldest beyond n      window.count, window:full(),
--                                                          window:mean(), window:stdev(),
--                                                          window:zscore(x), window:min(), :max()
--   vwap:add(price, qty)  returns the mean so far          vwap.value, vwap.volume
--
-- Before the first value a figure is nil. A window's sums are worked out anew each n values, so
-- that rounding does not add up over a long day.

local stats = {}

local ema = {}
ema.__index = ema

function stats.ema(n)
    assert(type(n) == "number" and n >= 1, "stats.ema: a length of at least 1 is expected")
    return setmetatable({weight = 2 / (n + 1)}, ema)
end

function ema:add(x)
    self.value = self.value and self.value + self.weight * (x - self.value) or x
    return self.value
end

local window = {}
window.__index = window

function stats.window(n)
    assert(math.type(n) == "integer" and n >= 1,
           "stats.window: a whole length of at least 1 is expected")
    return setmetatable({size = n, count = 0, at = 0, sum = 0.0, squares = 0.0, values = {}},
                        window)
end

-- The sums are kept of differences to the first value of the window's life: prices are large and
-- their differences small.
local function sum_up(self)
    self.base = self.values[1]
    self.sum, self.squares = 0.0, 0.0
    for i = 1, self.count do
        local d = self.values[i] - self.base
        self.sum, self.squares = self.sum + d, self.squares + d * d
    end
end

function window:add(x)
    self.base = self.base or x
    self.at = self.at % self.size + 1
    local old = self.values[self.at]
    self.values[self.at] = x
    if old then
        local d = old - self.base
        self.sum, self.squares = self.sum - d, self.squares - d * d
    else
        self.count = self.count + 1
    end
    local d = x - self.base
    self.sum, self.squares = self.sum + d, self.squares + d * d
    if self.at == self.size then sum_up(self) end
end

function window:full() return self.count == self.size end

function window:mean()
    if self.count == 0 then return nil end
    return self.base + self.sum / self.count
end

-- Of the values as a whole, not as a sample.
function window:stdev()
    if self.count == 0 then return nil end
    local mean = self.sum / self.count
    return math.sqrt(math.max(0, self.squares / self.count - mean * mean))
end

-- How many deviations x lies above the mean; nil while all values are the same.
function window:zscore(x)
    local deviation = self:stdev()
    if not deviation or deviation == 0 then return nil end
    return (x - self:mean()) / deviation
end

local function extreme(self, better)
    local found
    for i = 1, self.count do
        local x = self.values[i]
        if not found or better(x, found) then found = x end
    end
    return found
end

function window:min() return extreme(self, function(a, b) return a < b end) end
function window:max() return extreme(self, function(a, b) return a > b end) end

local vwap = {}
vwap.__index = vwap

function stats.vwap() return setmetatable({volume = 0}, vwap) end

function vwap:add(price, qty)
    if qty <= 0 then return self.value end
    self.volume = self.volume + qty
    local before = self.value or price
    self.value = before + (price - before) * qty / self.volume
    return self.value
end

return stats
