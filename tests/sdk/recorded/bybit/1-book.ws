{"topic":"orderbook.50.AB","type":"snapshot","ts":1700000000000,"data":{"s":"AB","b":[["10","1"]],"a":[["11.5","2"]],"u":5,"seq":9},"cts":1700000000000}
{"topic":"orderbook.50.AB","ts":1700000000000,"type":"delta","data":{"s":"AB","b":[],"a":[["11.5","0"]],"u":6,"seq":10},"cts":1}
