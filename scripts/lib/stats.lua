-- stats: running figures and indicators of numbers, in constant time and bounded memory.
--
--   local stats = weir.import("stats")
--   local ema = stats.ema(20)          -- exponential mean; weight of a new value 2 / (n + 1)
--   local rma = stats.wilder(14)       -- Wilder's mean; weight 1 / n, begins with the mean of n
--   local sma = stats.sma(20)          -- mean of the last n
--   local z = stats.zscore(100)        -- deviations from the mean of the last n, new one included
--   local rsi = stats.rsi(14)          -- relative strength of changes, 0 to 100 (Wilder)
--   local atr = stats.atr(14)          -- average true range of bars (Wilder)
--   local vwap = stats.vwap()          -- mean of prices by volume, since the start or reset()
--   local window = stats.window(100)   -- the last n values
--
--   f:add(x)              returns the figure so far, as f.value; nil until there is enough (an ema
--                         and a vwap have one from the first value on)
--   atr:add(high, low, close), atr:add(bar)      vwap:add(price, qty)        vwap.volume
--   window:add(x)         forgets the oldest beyond n      window.count, window:full(),
--                                                          window:mean(), window:stdev(),
--                                                          window:zscore(x), window:last(i),
--                                                          window:min(), :max() (look through it)
--
-- A window's sums are worked out anew each n values, so that rounding does not add up. After J.
-- Welles Wilder, New Concepts in Technical Trading Systems (1978): rsi, atr and their mean.

local stats = {}

local ema = {}
ema.__index = ema

local function whole(n, name)
    if math.type(n) ~= "integer" or n < 1 then
        error(name .. ": a whole length of at least 1 is expected, not " .. tostring(n), 3)
    end
    return n
end

function stats.ema(n) return setmetatable({weight = 2 / (whole(n, "stats.ema") + 1)}, ema) end

function ema:add(x)
    self.value = self.value and self.value + self.weight * (x - self.value) or x
    return self.value
end

local window = {}
window.__index = window

function stats.window(n)
    whole(n, "stats.window")
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

-- The newest but i - 1: last(1) is the newest.
function window:last(i)
    if i < 1 or i > self.count then return nil end
    return self.values[(self.at - i) % self.size + 1]
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

-- The mean of the first n, and from then on moved by 1 / n towards each value.
local wilder = {}
wilder.__index = wilder

function stats.wilder(n)
    return setmetatable({size = whole(n, "stats.wilder"), count = 0, sum = 0.0}, wilder)
end

function wilder:add(x)
    if self.value then
        self.value = self.value + (x - self.value) / self.size
    else
        self.count, self.sum = self.count + 1, self.sum + x
        if self.count == self.size then self.value = self.sum / self.size end
    end
    return self.value
end

local sma = {}
sma.__index = sma

function stats.sma(n)
    return setmetatable({window = stats.window(whole(n, "stats.sma"))}, sma)
end

function sma:add(x)
    self.window:add(x)
    self.value = self.window:full() and self.window:mean() or nil
    return self.value
end

local zscore = {}
zscore.__index = zscore

function stats.zscore(n)
    return setmetatable({window = stats.window(whole(n, "stats.zscore"))}, zscore)
end

function zscore:add(x)
    self.window:add(x)
    self.value = self.window:full() and self.window:zscore(x) or nil
    return self.value
end

-- 100 while nothing fell, 50 while nothing moved.
local rsi = {}
rsi.__index = rsi

function stats.rsi(n)
    whole(n, "stats.rsi")
    return setmetatable({up = stats.wilder(n), down = stats.wilder(n)}, rsi)
end

function rsi:add(x)
    local change = self.before and x - self.before
    self.before = x
    if not change then return nil end
    local up, down = self.up:add(math.max(change, 0)), self.down:add(math.max(-change, 0))
    if up then self.value = up + down > 0 and 100 * up / (up + down) or 50.0 end
    return self.value
end

-- True range: how far prices went, the step from the last close included.
local atr = {}
atr.__index = atr

function stats.atr(n) return setmetatable({mean = stats.wilder(whole(n, "stats.atr"))}, atr) end

function atr:add(high, low, close)
    if type(high) == "table" then high, low, close = high.high, high.low, high.close end
    local before = self.close
    self.close = close
    if before then high, low = math.max(high, before), math.min(low, before) end
    self.value = self.mean:add(high - low)
    return self.value
end

local vwap = {}
vwap.__index = vwap

function stats.vwap() return setmetatable({volume = 0}, vwap) end

function vwap:reset() self.value, self.volume = nil, 0 end

function vwap:add(price, qty)
    if qty <= 0 then return self.value end
    self.volume = self.volume + qty
    local before = self.value or price
    self.value = before + (price - before) * qty / self.volume
    return self.value
end

return stats
