{"type":"trade","symbol":"BTC-USD","id":7,"price":"100.5","size":"0.1","side":"buy"}
