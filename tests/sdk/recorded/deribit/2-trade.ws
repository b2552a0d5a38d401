{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.A-B.raw","data":[{"timestamp":1,"price":10.5,"direction":"sell","trade_id":"ETH-5","instrument_name":"A-B","amount":20}]}}
