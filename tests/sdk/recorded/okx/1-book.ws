{"arg":{"channel":"books","instId":"A-B"},"action":"snapshot","data":[{"asks":[["10.5","1","0","1"],["11","2","0","1"]],"bids":[["10","3","0","1"]],"ts":"1700000000000","checksum":0,"prevSeqId":-1,"seqId":7}]}
{"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"asks":[],"bids":[["9.90","4","0","1"]],"ts":"1700000000001","checksum":0,"prevSeqId":7,"seqId":8}]}
