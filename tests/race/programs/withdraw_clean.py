# Whoever withdraws does so in the owner's thread.
import concurrent.futures


class Account:
    def __init__(self, balance):
        self.balance = balance

    def withdraw(self, amount):
        if self.balance >= amount:
            self.balance -= amount
            return True
        return False


account = Account(100)
with concurrent.futures.ThreadPoolExecutor(max_workers=1) as owner:
    answers = [owner.submit(account.withdraw, 30) for _ in range(4)]
    print([answer.result() for answer in answers])
print(account.balance)
