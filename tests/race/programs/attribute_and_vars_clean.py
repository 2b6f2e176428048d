import threading


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 0


def deposit(account):
    for _ in range(50):
        with account.lock:
            account.balance += 1


def pay_interest(account):
    for _ in range(50):
        with account.lock:
            vars(account)["balance"] += 2


account = Account()
threads = [
    threading.Thread(target=deposit, args=(account,)),
    threading.Thread(target=pay_interest, args=(account,)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(account.balance)
