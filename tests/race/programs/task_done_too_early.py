# join() waits for task_done(), not for what comes after it.
# expect: data-race Meal.cooked
# racy-twin-of: edge_task_done
import queue
import threading


class Meal:
    cooked = False


def cook(meals):
    meal = meals.get()
    meals.task_done()
    meal.cooked = True


meal = Meal()
meals = queue.Queue()
thread = threading.Thread(target=cook, args=(meals,))
thread.start()
meals.put(meal)
meals.join()
str(meal.cooked)
thread.join()
print(meal.cooked)
