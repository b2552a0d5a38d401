{"type":"begin"}
{"type":"working","client_id":"w100000000000001","order_id":"77"}
{"type":"end"}
{"type":"state","client_id":"w100000000000001","order_id":"77","state":"open","filled":"0.025"}
