{"data":{"id":9,"amount":0.1,"amount_str":"0.10","price":10.5,"price_str":"10.5","type":1,"microtimestamp":"1000002","buy_order_id":3,"sell_order_id":4},"channel":"live_trades_ab","event":"trade"}
