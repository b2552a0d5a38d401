{"type":"book","symbol":"BTC-USD","seq":5,"bids":[["100.5","2"],["100","1.5"]],"asks":[["101","0.25"]]}
{"type":"book","symbol":"ETH-USD","seq":5,"bids":[["10.5","20"]],"asks":[]}
