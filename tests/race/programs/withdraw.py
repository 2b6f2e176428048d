# Both a check and an update: either name fits.
# expect-one-of: check-then-act Account.balance | lost-update Account.balance
import threading


class Account:
    def __init__(self, balance):
        self.balance = balance

    def withdraw(self, amount):
        if self.balance >= amount:
            self.balance -= amount
            return True
        return False


account = Account(100)
threads = [threading.Thread(target=account.withdraw, args=(30,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(account.balance >= 0)
