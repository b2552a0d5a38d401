{"topic":"publicTrade.AB","type":"snapshot","ts":1,"data":[{"T":1,"s":"AB","S":"Buy","v":"1","p":"10","i":"01234567-89ab-cdef-0123-456789abcdef","BT":false}]}
