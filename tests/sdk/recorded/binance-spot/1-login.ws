{"id":"${id}","status":200,"result":{"subscriptionId":0}}
