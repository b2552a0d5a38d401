{"type":"accepted","client_id":"w100000000000001","order_id":"77"}
