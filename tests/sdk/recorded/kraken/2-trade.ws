{"channel":"trade","type":"update","data":[{"symbol":"A/B","side":"sell","price":10.1,"qty":0.25,"trade_id":9,"timestamp":"2026-01-02T03:04:05.678901Z"}]}
