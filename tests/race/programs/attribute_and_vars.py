# One thread goes by the attribute, the other one by the instance's __dict__: it is one variable.
# expect: lost-update Account.balance
import threading


class Account:
    def __init__(self):
        self.balance = 0


def deposit(account):
    for _ in range(50):
        account.balance += 1


def pay_interest(account):
    for _ in range(50):
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
