{"channel":"ticker","type":"update","data":[{"symbol":"A/B","bid":10.1,"bid_qty":1,"ask":10.2,"ask_qty":2}]}
