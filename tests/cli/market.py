#!/usr/bin/env python3
"""market.py SECONDS [SEED] - a made-up spot market in the words of Binance's public streams, as a
recording: `<ns> <json>`, a REST snapshot, diffs each 100 ms, trades and best prices between them.
Written from the venue's documents; nothing in it was recorded anywhere."""
import json
import random
import sys

seconds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
dice = random.Random(seed)
t = 1700000000_000000000
book = {"b": {}, "a": {}}
mid, update, trade_id = 60000_00, 1000, 1  # cents


def text(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def line(kind, data):
    print(t, json.dumps({"stream": "btcusdt@" + kind, "data": data}, separators=(",", ":")))


for i in range(1, 200):
    book["b"][mid - 5 * i] = dice.randint(100, 5000)
    book["a"][mid + 5 * i] = dice.randint(100, 5000)
size = lambda n: f"{n / 1000:.3f}"
rows = lambda side, sign: [[text(p), size(q)] for p, q in sorted(book[side].items(), key=lambda x: sign * x[0])]
print(t, json.dumps({"lastUpdateId": update, "bids": rows("b", -1), "asks": rows("a", 1)}))
for step in range(seconds * 10):
    t += 100_000_000 + dice.randint(0, 999)
    mid += 5 * dice.choice([-12, -4, -1, 0, 0, 0, 1, 4, 12])
    changes = {"b": {}, "a": {}}
    for side, away in (("b", -1), ("a", 1)):
        for price in [p for p in book[side] if (p - mid) * away <= 0]:
            changes[side][price] = 0
        for _ in range(6):
            changes[side][mid + away * 5 * dice.randint(1, 60)] = dice.choice([0, dice.randint(1, 5000)])
        changes[side][mid + away * 5] = dice.randint(50, 3000)
        for price, qty in changes[side].items():
            book[side].pop(price, None)
            if qty:
                book[side][price] = qty
    first, update = update + 1, update + sum(len(c) for c in changes.values())
    line("depth@100ms", {"e": "depthUpdate", "E": t // 1000000, "s": "BTCUSDT", "U": first, "u": update,
                         "b": [[text(p), size(q)] for p, q in changes["b"].items()],
                         "a": [[text(p), size(q)] for p, q in changes["a"].items()]})
    best = max(book["b"]), min(book["a"])
    line("bookTicker", {"u": update, "s": "BTCUSDT", "b": text(best[0]), "B": size(book["b"][best[0]]),
                        "a": text(best[1]), "A": size(book["a"][best[1]])})
    for _ in range(dice.randint(0, 3)):
        t += dice.randint(1, 20_000_000)
        sold = dice.random() < 0.5
        line("trade", {"e": "trade", "E": t // 1000000, "s": "BTCUSDT", "t": trade_id,
                       "p": text(best[0] if sold else best[1]), "q": size(dice.randint(1, 800)),
                       "T": t // 1000000, "m": sold, "M": True})
        trade_id += 1
