{"arg":{"channel":"trades","instId":"A-B"},"data":[{"instId":"A-B","tradeId":"5","px":"10.2","sz":"0.3","side":"sell","ts":"1700000000002"}]}
