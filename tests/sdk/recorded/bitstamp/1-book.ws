{"data":{"timestamp":"1","microtimestamp":"1000001","bids":[["10","1"]],"asks":[["11","2"]]},"channel":"diff_order_book_ab","event":"data"}
