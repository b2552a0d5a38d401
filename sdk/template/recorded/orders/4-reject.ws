{"type":"refused","client_id":"w100000000000002","reason":"no funds"}
