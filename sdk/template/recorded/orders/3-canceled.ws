{"type":"canceled","client_id":"w100000000000001"}
