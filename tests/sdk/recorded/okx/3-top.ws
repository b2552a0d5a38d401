{"arg":{"channel":"bbo-tbt","instId":"A-B"},"data":[{"asks":[["11","1","0","1"]],"bids":[["10","1","0","1"]],"ts":"1700000000002","seqId":9}]}
