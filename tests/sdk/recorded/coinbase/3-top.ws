{"channel":"ticker","sequence_num":2,"events":[{"type":"update","tickers":[{"product_id":"A-B","best_bid":"10","best_bid_quantity":"1","best_ask":"11","best_ask_quantity":"1"}]}]}
