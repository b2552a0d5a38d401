{"type":"fill","client_id":"w100000000000001","order_id":"77","exec_id":"9","symbol":"BTC-USD","price":"10.00","size":"0.025","side":"buy"}
{"type":"fill","client_id":"w100000000000001","order_id":"77","exec_id":"10","symbol":"BTC-USD","price":"9.99","size":"0.05","side":"buy"}
