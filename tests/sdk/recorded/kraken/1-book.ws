{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","bids":[{"price":10.1,"qty":0.5}],"asks":[{"price":10.2,"qty":1}],"checksum":7}]}
