"""What is sent in Huawei's words: the events of live jobs, and questions to live platforms."""
