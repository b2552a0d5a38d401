// judge.mjs - clients that others wrote trade on `weir exchange`: what they cannot do, or read otherwise
// than the exchange's own books, fails.   usage: node judge.mjs HTTP-PORT
import ccxt from 'ccxt';
import { MainClient, USDMClient } from 'binance';
import { Spot } from '@binance/spot';
import { DerivativesTradingUsdsFutures } from '@binance/derivatives-trading-usds-futures';

const port = process.argv[2];
const H = `http://127.0.0.1:${port}`, W = `ws://127.0.0.1:${port}`;
const KEY = 'weir', SECRET = 'secret';
let failed = 0, passed = 0;
// ccxt rejects what it still waits for when it is closed
process.on('unhandledRejection', e => { if (e?.constructor?.name !== 'ExchangeClosedByUser') throw e; });

function same(name, found, expected) {
    if (found === expected) { passed++; return; }
    failed++;
    console.log(`FAIL ${name}: expected ${expected}, found ${found}`);
}
function ok(name, yes, what) {
    if (yes) { passed++; return; }
    failed++;
    console.log(`FAIL ${name}: ${what}`);
}
async function step(name, run) {
    const late = new Promise((_, no) => setTimeout(() => no(new Error('no answer in 10 s')), 10000).unref());
    try { await Promise.race([run(), late]); } catch (e) { failed++; console.log(`FAIL ${name}: ${e.message}`); }
}

const moved = o => typeof o === 'string'
    ? o.replace(/^https?:\/\/[^\/]+/, H).replace(/^wss?:\/\/[^\/]+/, W)
    : Object.fromEntries(Object.entries(o).map(([k, v]) => [k, moved(v)]));

async function judgeCcxt(kind, symbol) {
    const of = kind === 'spot' ? 'binance' : 'binanceusdm';
    const e = new ccxt.pro[of]({ apiKey: KEY, secret: SECRET, enableRateLimit: false,
        options: { fetchMarkets: { types: [kind === 'spot' ? 'spot' : 'linear'] }, fetchMargins: false,
                   fetchCurrencies: false, warnOnFetchOpenOrdersWithoutSymbol: false } });
    e.has.fetchCurrencies = false;
    e.urls.api = moved(e.urls.api);
    const name = what => `ccxt ${kind} ${what}`;
    await e.loadHttpProxyAgent();
    await step(name('loadMarkets'), async () => { await e.loadMarkets(); ok(name('markets'), e.markets[symbol], 'no market'); });
    let order, bid;
    await step(name('fetchOrderBook'), async () => {
        const book = await e.fetchOrderBook(symbol, 5);
        bid = book.bids[0][0];
        ok(name('book'), bid < book.asks[0][0], 'crossed');
    });
    await step(name('createOrder'), async () => {
        order = await e.createOrder(symbol, 'limit', 'buy', 0.01, Math.floor(bid * 0.9), { clientOrderId: `c${kind}1` });
        same(name('status'), order.status, 'open');
    });
    await step(name('fetchOrder'), async () => same(name('fetched'), (await e.fetchOrder(order.id, symbol)).clientOrderId, `c${kind}1`));
    await step(name('fetchOpenOrders'), async () => same(name('open'), (await e.fetchOpenOrders(symbol)).length, 1));
    await step(name('editOrder'), async () => {
        const edited = await e.editOrder(order.id, symbol, 'limit', 'buy', 0.02, Math.floor(bid * 0.9));
        same(name('amount'), edited.amount, 0.02);
        order = edited;
    });
    await step(name('cancelOrder'), async () => same(name('canceled'), (await e.cancelOrder(order.id, symbol)).status, 'canceled'));
    await step(name('market order'), async () => {
        const taken = await e.createOrder(symbol, 'market', 'sell', 0.02);
        same(name('filled'), taken.filled, 0.02);
    });
    await step(name('fetchMyTrades'), async () => {
        const trades = await e.fetchMyTrades(symbol);
        ok(name('trades'), trades.some(t => t.side === 'sell'), 'the execution is not there');
    });
    await step(name('fetchBalance'), async () => ok(name('balance'), (await e.fetchBalance()).total.USDT > 0, 'no USDT'));
    await step(name('refusal'), async () => {
        try { await e.cancelOrder('1', symbol); same(name('unknown order'), 'accepted', 'OrderNotFound'); }
        catch (error) { same(name('unknown order'), error.constructor.name, 'OrderNotFound'); }
    });
    await step(name('watchOrderBook'), async () => ok(name('watched book'), (await e.watchOrderBook(symbol)).bids.length > 0, 'empty'));
    await step(name('watchTrades'), async () => ok(name('watched trades'), (await e.watchTrades(symbol)).length > 0, 'none'));
    await step(name('watchOrders'), async () => {
        const heard = e.watchOrders(symbol);
        await new Promise(r => setTimeout(r, 700));
        await e.createOrder(symbol, 'limit', 'buy', 0.01, Math.floor(bid * 0.8), { clientOrderId: `c${kind}2` });
        same(name('heard'), (await heard)[0].clientOrderId, `c${kind}2`);
        await e.cancelAllOrders(symbol);
    });
    await e.close();
}

async function judgeSiebly() {
    const spot = new MainClient({ api_key: KEY, api_secret: SECRET, baseUrl: H });
    const usdm = new USDMClient({ api_key: KEY, api_secret: SECRET, baseUrl: H });
    await step('binance spot', async () => {
        const order = await spot.submitNewOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC',
            quantity: 0.01, price: 30000 });
        same('binance spot new', order.status, 'NEW');
        same('binance spot open', (await spot.getOpenOrders({ symbol: 'BTCUSDT' })).length, 1);
        same('binance spot cancel', (await spot.cancelOrder({ symbol: 'BTCUSDT', orderId: order.orderId })).status, 'CANCELED');
    });
    await step('binance usdm', async () => {
        const order = await usdm.submitNewOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC',
            quantity: 0.01, price: 30000 });
        same('binance usdm new', order.status, 'NEW');
        same('binance usdm cancel', (await usdm.cancelOrder({ symbol: 'BTCUSDT', orderId: order.orderId })).status, 'CANCELED');
    });
}

async function judgeOfficial() {
    const spot = new Spot({ configurationRestAPI: { apiKey: KEY, apiSecret: SECRET, basePath: H } });
    const usdm = new DerivativesTradingUsdsFutures({ configurationRestAPI: { apiKey: KEY, apiSecret: SECRET, basePath: H } });
    await step('@binance/spot', async () => {
        const placed = await (await spot.restAPI.newOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC',
            quantity: 0.01, price: 30000, newClientOrderId: 'o1' })).data();
        same('@binance/spot new', placed.status, 'NEW');
        const gone = await (await spot.restAPI.deleteOrder({ symbol: 'BTCUSDT', origClientOrderId: 'o1' })).data();
        same('@binance/spot cancel', gone.status, 'CANCELED');
        const account = await (await spot.restAPI.getAccount()).data();
        ok('@binance/spot account', account.balances.length > 0, 'no balances');
    });
    await step('@binance/derivatives', async () => {
        const placed = await (await usdm.restAPI.newOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC',
            quantity: 0.01, price: 30000, newClientOrderId: 'd1' })).data();
        same('@binance/derivatives new', placed.status, 'NEW');
        const gone = await (await usdm.restAPI.cancelOrder({ symbol: 'BTCUSDT', origClientOrderId: 'd1' })).data();
        same('@binance/derivatives cancel', gone.status, 'CANCELED');
    });
}

await judgeCcxt('spot', 'BTC/USDT');
await judgeCcxt('usdm', 'BTC/USDT:USDT');
await judgeSiebly();
await judgeOfficial();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
