---@meta
-- Printed by `weir describe lua` from the list that the sandbox is tested against; point
-- Lua.workspace.library of lua-language-server at this folder.

---@alias weir.Number number|weir.Dec
---@alias weir.OrderType "limit"|"market"|"stop"|"stop_limit"|"take_profit"|"trailing"|"iceberg"
---@alias weir.Tif "gtc"|"ioc"|"fok"|"gtd"|"day"
---@alias weir.Event "start" |"stop" |"book" |"quote" |"trade" |"mark" |"bar" |"timer" |"order" |"fill" |"position" |"venue" |"alert" |"reload" |"message"

--- An exact decimal, made by weir.dec().
---@class weir.Dec
---@operator add(weir.Number): weir.Dec
---@operator sub(weir.Number): weir.Dec
---@operator mul(weir.Number): weir.Dec
---@operator unm: weir.Dec
---@field number fun(self: weir.Dec): number the nearest number
---@field text fun(self: weir.Dec): string all its digits

--- An order to be sent.
---@class weir.Submit
---@field venue string name of the venue
---@field symbol string name of the instrument there
---@field side "buy"|"sell" direction
---@field type weir.OrderType limit, market, stop, stop_limit, take_profit, trailing, iceberg
---@field price weir.Number? of limit, stop_limit and iceberg: a multiple of the tick
---@field qty weir.Number in base units: a multiple of the step
---@field tif weir.Tif gtc, ioc, fok, gtd, day
---@field post_only boolean? never takes: refused or canceled if it would trade at once
---@field reduce_only boolean? only makes the position smaller
---@field trigger weir.Number? of stop, stop_limit, take_profit: the price that lets it go
---@field trail weir.Number? of trailing: the distance from the best price so far
---@field visible weir.Number? of iceberg: the most that is shown at once
---@field release integer? it is held until then: ns since the epoch
---@field expires integer? with tif gtd: ns since the epoch
---@field oco string? id of an order of which, with this one, one is enough
---@field parent string? id of an order that it follows, for what that one has filled
---@field tag string? a word of yours, at most 15 characters, kept with the order

--- What an order shall become.
---@class weir.Amend
---@field price weir.Number? the new price
---@field qty weir.Number? the new size, what is filled included
---@field trigger weir.Number? while it is held: the new trigger
---@field trail weir.Number? while it is held: the new distance

--- Which orders to cancel.
---@class weir.CancelAll
---@field venue string? only there
---@field symbol string? only of this instrument; needs venue

--- What a script wants to hear of.
---@class weir.Subscribe
---@field venue string? left out: any
---@field symbol string? left out: any
---@field what string|string[]|nil "book", "trade", "bar", "mark", or a list; left out: books
---@field interval integer|string|nil of time bars: ns, or "1s", "5m", "1h", "1d"
---@field volume weir.Number? of volume bars: a bar is over when so much was traded in it
---@field ticks integer? of tick bars: so many trades make a bar
---@field topic string? what another script publishes under this name; with nothing else but from
---@field from string? with topic: only of the script with this name

--- An instrument of a venue.
---@class weir.Market
---@field venue string name of the venue
---@field symbol string name of the instrument

--- Which book, and how much of it.
---@class weir.BookOf
---@field venue string? name of the venue
---@field symbol string? name of the instrument
---@field markets weir.Market[]? in place of these: books of several venues as one
---@field depth integer? levels of each side (10); of several at most 200
---@field own boolean? false: without what this script has resting there

--- Whose position.
---@class weir.PositionOf
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field account boolean? true: of the whole account, not of this script alone

--- Which balance.
---@class weir.BalanceOf
---@field venue string name of the venue
---@field asset string such as "USD"

--- Which orders.
---@class weir.OrdersOf
---@field venue string? only there
---@field symbol string? only of this instrument; needs venue
---@field side "buy"|"sell"|nil only this direction
---@field tag string? only with this tag
---@field all boolean? true: those that are done, too

--- An alert to the operator.
---@class weir.AlertOf
---@field level "info"|"warn"|"critical"|nil left out: warn
---@field text string one line
---@field venue string? what it is about
---@field symbol string? what it is about

--- A setting that a script has.
---@class weir.Declared
---@field type "number"|"integer"|"text"|"flag"|"list"|"table" of its value
---@field default any left out: the setting must be given, or is optional
---@field optional boolean? true: it may be left out, and is nil then
---@field min number? of numbers: the least
---@field max number? of numbers: the most
---@field of any[]? the only values that are taken
---@field doc string? what it means

--- Why something was refused; tostring(err) reads well.
---@class weir.Error
---@field code string a word of `weir describe checks` or `errors`, or BAD_REQUEST
---@field message string what was wrong
---@field scope string whose limit refused, such as "strategy maker"; or ""
---@field observed number? what a check read
---@field limit number? what it may be

--- One price of a book.
---@class weir.Level
---@field price number
---@field qty number
---@field venue string? of a book of several: whose level it is
---@field symbol string? the same

--- A book as it is.
---@class weir.Book
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field state string EMPTY SYNCING LIVE STALE GAPPED CROSSED
---@field bid number? best bid; nil: that side is empty, or the book not LIVE
---@field ask number? best ask
---@field bid_qty number? size at the bid
---@field ask_qty number? size at the ask
---@field seq integer? of the venue's message
---@field time integer? of the newest change, ns since the epoch
---@field bids weir.Level[]? best first, as many as were asked for (10)
---@field asks weir.Level[]? best first
---@field parts table[]? of a book of several: {venue=, symbol=, state=, time=} of each, which stands there in place of these
---@field whole boolean? of a book of several: all parts are LIVE

--- The best prices of a book changed, or its state.
---@class weir.BookEvent
---@field dropped integer? so many events of the instrument were left out before, since the script was behind
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field bid number? best bid; nil: that side is empty, or the book not LIVE
---@field ask number? best ask
---@field bid_qty number? size at the bid
---@field ask_qty number? size at the ask
---@field seq integer? of the venue's message
---@field time integer ns since the epoch
---@field state string? when the state of the book changed: the new one

--- An instrument of a venue, and orders there by plain numbers.
---@class weir.MarketAt
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field buy fun(price: weir.Number, qty: weir.Number, how: string?): string?, weir.Error? a limit order; how: IOC, FOK, DAY or post_only
---@field sell fun(price: weir.Number, qty: weir.Number, how: string?): string?, weir.Error? a limit order

--- What the venue says of a contract beside its book.
---@class weir.Mark
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field mark number? the venue's mark price
---@field index number? the index that the contract follows
---@field funding_rate number? of a position's worth; negative: shorts pay
---@field funding_time integer? when it is paid, ns since the epoch; nil: all the time
---@field time integer? when the last of these came; nil: none did

--- A trade of the market.
---@class weir.Trade
---@field dropped integer? so many events of the instrument were left out before, since the script was behind
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field time integer ns since the epoch
---@field id integer of the venue
---@field price number
---@field qty number
---@field side "buy"|"sell" of who took
---@field off_book boolean? true: not traded in the book

--- Trades of a stretch, summed up.
---@class weir.Bar
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field kind "time"|"volume"|"ticks" what makes it be over
---@field time integer its beginning; of others than time bars, the first trade
---@field closed integer its end; of others than time bars, the last trade
---@field interval integer? of time bars: ns
---@field per number? of volume and tick bars: what was asked for
---@field open number
---@field high number
---@field low number
---@field close number
---@field volume number
---@field count integer trades

--- A timer that is due.
---@class weir.Timer
---@field time integer ns since the epoch
---@field due integer when it was due
---@field id integer? what weir.every or weir.after returned

--- That something begins or ends.
---@class weir.Time
---@field time integer ns since the epoch

--- An order of this script.
---@class weir.Order
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field id string stays the same when it is amended
---@field side "buy"|"sell"
---@field type weir.OrderType
---@field tif string GTC IOC FOK GTD DAY
---@field state string PENDING_NEW OPEN PARTIAL PENDING_CANCEL PENDING_REPLACE UNKNOWN HELD FILLED CANCELED EXPIRED REJECTED DENIED
---@field done boolean nothing more comes of it
---@field price number?
---@field qty number
---@field cum_qty number filled
---@field leaves_qty number still open
---@field avg_price number? of what is filled
---@field post_only boolean
---@field reduce_only boolean
---@field tag string?
---@field created integer ns since the epoch
---@field time integer of the last change
---@field refused "cancel"|"amend"|nil what was just refused of it
---@field reason string? why it was refused or ended
---@field waits string? of HELD: PARENT, TIME, TRIGGER, SLICES, LANE, joined by +
---@field obstacle string? of HELD, in its lane: the check that refused it
---@field trigger number? of HELD
---@field trail number? of HELD
---@field visible number? of HELD
---@field release integer? of HELD
---@field expires integer? of HELD: when it is ended here
---@field venue_id string? its name at the venue

--- An execution, and its order as it is now.
---@class weir.Fill
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field id string stays the same when it is amended
---@field side "buy"|"sell"
---@field type weir.OrderType
---@field tif string GTC IOC FOK GTD DAY
---@field state string PENDING_NEW OPEN PARTIAL PENDING_CANCEL PENDING_REPLACE UNKNOWN HELD FILLED CANCELED EXPIRED REJECTED DENIED
---@field done boolean nothing more comes of it
---@field price number?
---@field qty number
---@field cum_qty number filled
---@field leaves_qty number still open
---@field avg_price number? of what is filled
---@field post_only boolean
---@field reduce_only boolean
---@field tag string?
---@field created integer ns since the epoch
---@field time integer of the last change
---@field refused "cancel"|"amend"|nil what was just refused of it
---@field reason string? why it was refused or ended
---@field waits string? of HELD: PARENT, TIME, TRIGGER, SLICES, LANE, joined by +
---@field obstacle string? of HELD, in its lane: the check that refused it
---@field trigger number? of HELD
---@field trail number? of HELD
---@field visible number? of HELD
---@field release integer? of HELD
---@field expires integer? of HELD: when it is ended here
---@field venue_id string? its name at the venue
---@field fill_price number of this execution
---@field fill_qty number
---@field position number of this script, afterwards
---@field fee number
---@field fee_asset string
---@field exec_id string the venue's
---@field maker boolean
---@field busted boolean? true: the venue takes it back

--- What is held, with averages and PnL in quote.
---@class weir.Position
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field qty number negative: short
---@field avg_price number of what is held
---@field cost number of what is held
---@field realized number PnL, fees not counted
---@field unrealized number? PnL at the market; nil: no price is known

--- A position after a fill.
---@class weir.PositionEvent
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field qty number negative: short
---@field avg_price number of what is held
---@field cost number of what is held
---@field realized number PnL, fees not counted
---@field unrealized number? PnL at the market; nil: no price is known
---@field time integer ns since the epoch

--- What an account has of an asset.
---@class weir.Balance
---@field venue string
---@field asset string
---@field total number
---@field fees number paid
---@field funding number paid

--- A venue came, went, or is being reconciled.
---@class weir.VenueEvent
---@field venue string
---@field time integer ns since the epoch
---@field up boolean? connected
---@field reconciling boolean? orders are being compared with the venue's
---@field reason string?

--- An alert of the host.
---@class weir.Alert
---@field code string a word of `weir describe alerts`
---@field message string what it means
---@field time integer ns since the epoch
---@field text string?
---@field value integer what was read
---@field limit integer what it may be
---@field venue string?
---@field symbol string?
---@field order string? an order of this script

--- What another script published.
---@class weir.Message
---@field topic string
---@field from string name of the script that published it
---@field data table a copy of its table
---@field time integer ns since the epoch

--- The rules of an instrument.
---@class weir.Instrument
---@field venue string name of the venue
---@field symbol string name of the instrument
---@field base string
---@field quote string
---@field kind "spot"|"linear"|"inverse"
---@field status "TRADING"|"HALTED"
---@field tick number least step of a price
---@field step number least step of a size
---@field min_notional number in quote
---@field multiplier number
---@field price_places integer decimals of prices
---@field qty_places integer decimals of sizes

---@class weir
---@field settings table<string, any> From the configuration; read-only.
---@field state table<string, any> Plain data of yours; survives a reload.
weir = {}

--- Calls a function at each event of a kind.
---@param event weir.Event what to hear of
---@param handler fun(event: table) called with a table of its own
---@return boolean ok
---@overload fun(event: "start", handler: fun(event: weir.Time)): boolean
---@overload fun(event: "stop", handler: fun(event: weir.Time)): boolean
---@overload fun(event: "book", handler: fun(event: weir.BookEvent)): boolean
---@overload fun(event: "quote", handler: fun(market: weir.MarketAt, bid: number?, ask: number?, bid_qty: number?, ask_qty: number?, time: integer)): boolean
---@overload fun(event: "trade", handler: fun(event: weir.Trade)): boolean
---@overload fun(event: "mark", handler: fun(event: weir.Mark)): boolean
---@overload fun(event: "bar", handler: fun(event: weir.Bar)): boolean
---@overload fun(event: "timer", handler: fun(event: weir.Timer)): boolean
---@overload fun(event: "order", handler: fun(event: weir.Order)): boolean
---@overload fun(event: "fill", handler: fun(event: weir.Fill)): boolean
---@overload fun(event: "position", handler: fun(event: weir.PositionEvent)): boolean
---@overload fun(event: "venue", handler: fun(event: weir.VenueEvent)): boolean
---@overload fun(event: "alert", handler: fun(event: weir.Alert)): boolean
---@overload fun(event: "reload", handler: fun(event: weir.Time)): boolean
---@overload fun(event: "message", handler: fun(event: weir.Message)): boolean
function weir.on(event, handler) end

--- Asks for books, trades, bars, or what other scripts publish. A name that nobody has is an error.
---@param wish weir.Subscribe
---@return boolean ok
function weir.subscribe(wish) end

--- Sends an order, if every limit allows it.
---@param order weir.Submit
---@return string? id
---@return weir.Error? err
function weir.submit(order) end

--- Changes price or size of an order.
---@param id string of the order
---@param change weir.Amend
---@return boolean? ok
---@return weir.Error? err
function weir.amend(id, change) end

--- Cancels an order.
---@param id string of the order
---@return boolean? ok
---@return weir.Error? err
function weir.cancel(id) end

--- Cancels all orders of this script, or those there.
---@param which? weir.CancelAll? left out: all of this script's
---@return boolean? ok
---@return weir.Error? err
function weir.cancel_all(which) end

--- A book as it is now.
---@param venue string|weir.BookOf name, or all of it in a table
---@param symbol? string?
---@param depth? integer? levels of each side (10)
---@return weir.Book? book
---@return weir.Error? err
function weir.book(venue, symbol, depth) end

--- This script's own position, with its PnL; without arguments a list of all.
---@param venue string|weir.PositionOf|nil left out: a list of all
---@param symbol? string?
---@return weir.Position? position
---@return weir.Error? err
function weir.position(venue, symbol) end

--- What the account at a venue has.
---@param venue string|weir.BalanceOf
---@param asset? string?
---@return weir.Balance? balance
---@return weir.Error? err
function weir.balance(venue, asset) end

--- An order of this script; nil: it has none with this id.
---@param id string
---@return weir.Order? order
---@return weir.Error? err
function weir.order(id) end

--- This script's orders.
---@param which? weir.OrdersOf? left out: all that are live
---@return weir.Order[]? orders
---@return weir.Error? err
function weir.orders(which) end

--- An instrument of a venue as a value, with functions for orders there.
---@param venue string
---@param symbol string
---@return weir.MarketAt? market
---@return weir.Error? err
function weir.market(venue, symbol) end

--- Mark and index price and funding rate of a contract.
---@param venue string|weir.Market
---@param symbol? string?
---@return weir.Mark? mark
---@return weir.Error? err
function weir.mark(venue, symbol) end

--- Tick, step and other rules.
---@param venue string|weir.Market
---@param symbol? string?
---@return weir.Instrument? instrument
---@return weir.Error? err
function weir.instrument(venue, symbol) end

--- The engine's time, ns since the epoch; virtual in replays.
---@return integer ns
function weir.now() end

--- Calls a function again and again.
---@param ns integer|string at least 1000000; or a text such as "1s", "250ms"
---@param fn? fun(timer: weir.Timer): boolean? until it returns false
---@return integer id
function weir.every(ns, fn) end

--- Calls a function once.
---@param ns integer|string at the earliest in 1 ms; or a text such as "1s"
---@param fn fun(timer: weir.Timer)
---@return integer id
function weir.after(ns, fn) end

--- math.random: seeded, the same in every replay.
---@param m? integer? as math.random
---@param n? integer?
---@return number x
function weir.random(m, n) end

--- Writes a line to the host's log.
---@param ... any made one line, with spaces between
function weir.log(...) end

--- Tells the operator.
---@param alert weir.AlertOf|string
---@return boolean? ok
---@return weir.Error? err
function weir.alert(alert) end

--- Gives plain data, at most 8 KiB, to scripts that subscribed to the topic.
---@param topic string letters, digits, _ . -
---@param data table plain data
---@return boolean? ok
---@return weir.Error? err
function weir.publish(topic, data) end

--- Says which settings the script has; once, while it loads. Returns weir.settings with defaults.
---@param settings table<string, weir.Declared>
---@return table settings
function weir.declare(settings) end

--- An exact decimal: + - * and comparisons stay exact.
---@param text string|integer|weir.Dec such as "0.1"
---@return weir.Dec exact
function weir.dec(text) end

--- What a module of scripts/lib returns.
---@param name string of a module of scripts/lib that the configuration lists
---@return any module
function weir.import(name) end
