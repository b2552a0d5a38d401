{"channel":"market_trades","sequence_num":1,"events":[{"type":"update","trades":[{"product_id":"A-B","trade_id":"5","price":"10","size":"1","time":"2026-01-02T03:04:05Z","side":"SELL"}]}]}
