{"e":"aggTrade","E":2,"s":"BTCUSDT","a":7,"p":"61730.5","q":"2","f":1,"l":2,"T":1,"m":false}
