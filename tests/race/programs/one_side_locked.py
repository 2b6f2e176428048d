# expect: lost-update Account.balance
# racy-twin-of: edge_lock
import threading


class Account:
    def __init__(self, balance):
        self._lock = threading.Lock()
        self.balance = balance

    def deposit(self, amount):
        with self._lock:
            self.balance += amount

    def charge(self, amount):
        self.balance -= amount


def repeat(operation):
    for _ in range(50):
        operation(1)


account = Account(1000)
depositor = threading.Thread(target=repeat, args=(account.deposit,))
charger = threading.Thread(target=repeat, args=(account.charge,))
depositor.start()
charger.start()
depositor.join()
charger.join()
print(account.balance)
